"""What a citizen does: start, answer, hand in, be graded. An attempt keeps the revisions and terms it was made under."""
