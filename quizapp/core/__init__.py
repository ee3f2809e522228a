"""The plumbing every feature stands on: database, clock, errors, money, encryption. It leans on nothing."""
