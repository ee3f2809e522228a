"""Prize pools, tickets, draws, wins and their proofs. It knows ``("attempt", id)``, never an attempt, and no odds of a
person exist anywhere in it."""
