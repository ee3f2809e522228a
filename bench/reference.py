"""The reference (iii): the submit as one hand-written statement, with tables of its own."""

REFERENCE_TABLES = """
CREATE TABLE bench_questions (id int PRIMARY KEY, answers text NOT NULL);
INSERT INTO bench_questions SELECT n, 'ABCDA' FROM generate_series(1, 100) n;
CREATE TABLE bench_attempts (id bigserial PRIMARY KEY, person int NOT NULL, number int NOT NULL, paper int NOT NULL, chosen text NOT NULL,
  correct int NOT NULL, grp text NOT NULL, region text NOT NULL, submitted_at timestamptz NOT NULL DEFAULT now(), UNIQUE (person, number));
CREATE TABLE bench_entries (id bigserial PRIMARY KEY, person int NOT NULL, amount int NOT NULL, source bigint NOT NULL UNIQUE);
CREATE TABLE bench_balances (person int PRIMARY KEY, balance int NOT NULL);
CREATE TABLE bench_tickets (id bigserial PRIMARY KEY, person int NOT NULL, source bigint NOT NULL UNIQUE);
"""

REFERENCE = """
WITH q AS (SELECT answers FROM bench_questions WHERE id = %(paper)s),
g AS (SELECT (SELECT count(*) FROM generate_series(1, 5) p WHERE substr(q.answers, p, 1) = substr(%(chosen)s, p, 1))::int AS correct FROM q),
a AS (INSERT INTO bench_attempts (person, number, paper, chosen, correct, grp, region)
  SELECT %(person)s, %(number)s, %(paper)s, %(chosen)s, g.correct, 'resident', '150402' FROM g RETURNING id, correct),
e AS (INSERT INTO bench_entries (person, amount, source) SELECT %(person)s, 5, id FROM a),
b AS (INSERT INTO bench_balances AS t (person, balance) VALUES (%(person)s, 5) ON CONFLICT (person) DO UPDATE SET balance = t.balance + 5),
t AS (INSERT INTO bench_tickets (person, source) SELECT %(person)s, id FROM a WHERE correct >= 4)
SELECT correct FROM a
"""
