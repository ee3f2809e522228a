"""What follows from the terms over a season: rounds, scores, tries, measures, awards. Pure: terms, history and moments in,
plain values out; it never reads a clock, a database or dice."""
