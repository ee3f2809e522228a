"""Double-entry accounts with a unit (points, fen, hours). Entries are never edited; balances are their sums."""
