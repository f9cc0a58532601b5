"""What PostgreSQL does by itself, so that a call is one statement, one round trip and one transaction.

A process that is stopped in the midst of something holds no lock of the database that way.
"""

# Rows are locked in the order of their ids: whoever waits for somebody is waited for by nobody before.

ADD = """CREATE FUNCTION $.add_job(
    id text, a_flow text, a_fingerprint text, a_status text, created double precision,
    updated double precision, a_note bytea, an_end bigint,
    firsts bigint[], lasts bigint[], contents bytea[], snapshot_number bigint, snapshot_content bytea
) RETURNS boolean LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    added bigint;
BEGIN
    INSERT INTO $.job
        (job_id, flow_id, fingerprint, status, created_at, updated_at, note, last, owner, epoch, until)
        VALUES (id, a_flow, a_fingerprint, a_status, created, updated, a_note, an_end, NULL, 0, 0)
        ON CONFLICT DO NOTHING RETURNING number INTO added;
    IF added IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO $.entry (job, first, last, content)
        SELECT added, * FROM unnest(firsts, lasts, contents);
    IF snapshot_number IS NOT NULL THEN
        INSERT INTO $.snapshot VALUES (added, snapshot_number, snapshot_content);
    END IF;
    RETURN true;
END
$body$"""

# As `Commit.standing` has it. `starts` and `ends` are the numbers of the first and the last fact, NULL where
# there is no entry; `chained` says whether the entries go on from one to the next. `opens` has the seconds of
# new jobs alone. What begins with `entry`, `snapshot` and `answer` names its job by its place among the jobs.
WRITE = """CREATE FUNCTION $.write(
    ids text[], owners text[], epochs bigint[], flows text[], fingerprints text[], statuses text[],
    created double precision[], updated double precision[], notes bytea[],
    starts bigint[], ends bigint[], chained boolean[], opens double precision[], releases boolean[],
    entry_jobs integer[], entry_firsts bigint[], entry_lasts bigint[], entry_contents bytea[],
    snapshot_jobs integer[], snapshot_numbers bigint[], snapshot_contents bytea[],
    answer_jobs integer[], answer_ids text[]
) RETURNS text[] LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    found $.job%ROWTYPE;
    added bigint;
    afterwards text;
    there boolean;
    over boolean;
    numbers bigint[];
    lost text[] := ARRAY[]::text[];
BEGIN
    FOR i IN 1 .. cardinality(ids) LOOP
        afterwards := CASE WHEN NOT releases[i] THEN owners[i] END;
        LOOP  -- until the job is new or there: one that was there may be deleted in between
            added := NULL;
            IF opens[i] IS NOT NULL THEN
                INSERT INTO $.job (job_id, flow_id, fingerprint, status, created_at, updated_at, note,
                    last, owner, epoch, until)
                    VALUES (ids[i], flows[i], fingerprints[i], statuses[i], created[i], updated[i], notes[i],
                        coalesce(ends[i], snapshot_numbers[array_position(snapshot_jobs, i)], 0),
                        afterwards, epochs[i], $.clock() + opens[i])
                    ON CONFLICT DO NOTHING RETURNING number INTO added;
                EXIT WHEN added IS NOT NULL;
            END IF;
            SELECT * INTO found FROM $.job WHERE job_id = ids[i] FOR NO KEY UPDATE;
            EXIT WHEN found.number IS NOT NULL OR opens[i] IS NULL;
        END LOOP;
        there := CASE WHEN ends[i] IS NOT NULL THEN ends[i] <= found.last ELSE
            (found.flow_id, found.fingerprint, found.status, found.created_at, found.updated_at, found.note)
            = (flows[i], fingerprints[i], statuses[i], created[i], updated[i], notes[i]) END;
        over := found.status IN ('completed', 'failed', 'cancelled');
        IF added IS NOT NULL THEN
            IF NOT chained[i] THEN
                RAISE EXCEPTION USING ERRCODE = 'RX001', MESSAGE = 'astray', DETAIL = 0, HINT = ids[i];
            END IF;
            numbers[i] := added;
        ELSIF found.epoch IS DISTINCT FROM epochs[i]
            OR (found.owner IS DISTINCT FROM owners[i] AND found.owner IS DISTINCT FROM afterwards)
        THEN
            lost := lost || ids[i];
        ELSIF opens[i] IS NOT NULL THEN
            IF NOT there OR found.owner IS DISTINCT FROM afterwards OR found.created_at <> created[i] THEN
                lost := lost || ids[i];
            END IF;
        ELSIF found.owner IS NULL OR (over AND NOT there) THEN
            IF NOT there THEN
                lost := lost || ids[i];
            END IF;
        ELSIF there AND (ends[i] IS NOT NULL OR (over AND NOT releases[i])) THEN
            NULL;
        ELSIF starts[i] <> found.last + 1 OR NOT chained[i] THEN
            RAISE EXCEPTION USING ERRCODE = 'RX001', MESSAGE = 'astray', DETAIL = found.last, HINT = ids[i];
        ELSE
            numbers[i] := found.number;
            UPDATE $.job SET flow_id = flows[i], fingerprint = fingerprints[i], status = statuses[i],
                created_at = created[i], updated_at = updated[i], note = notes[i],
                last = coalesce(ends[i], last), owner = afterwards
                WHERE number = found.number;
        END IF;
    END LOOP;
    IF cardinality(entry_jobs) > 0 THEN
        INSERT INTO $.entry (job, first, last, content)
            SELECT numbers[given.place], given.first, given.last, given.content
            FROM unnest(entry_jobs, entry_firsts, entry_lasts, entry_contents)
                AS given (place, first, last, content)
            WHERE numbers[given.place] IS NOT NULL;
    END IF;
    IF cardinality(snapshot_jobs) > 0 THEN
        INSERT INTO $.snapshot (job, number, content)
            SELECT numbers[given.place], given.number, given.content
            FROM unnest(snapshot_jobs, snapshot_numbers, snapshot_contents) AS given (place, number, content)
            WHERE numbers[given.place] IS NOT NULL
            ON CONFLICT (job) DO UPDATE SET number = excluded.number, content = excluded.content;
    END IF;
    IF cardinality(answer_jobs) > 0 THEN
        UPDATE $.request SET waiting = false, content = ''
            FROM unnest(answer_jobs, answer_ids) AS given (place, name)
            WHERE job = numbers[given.place] AND request_id = given.name;
    END IF;
    RETURN lost;
END
$body$"""

ASK = """CREATE FUNCTION $.ask(id text, a_request text, a_kind bytea, a_content bytea)
RETURNS text LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    found $.job%ROWTYPE;
BEGIN
    SELECT * INTO found FROM $.job WHERE job_id = id FOR KEY SHARE;
    IF found.number IS NULL THEN
        RETURN NULL;
    ELSIF EXISTS (SELECT 1 FROM $.request WHERE job = found.number AND request_id = a_request) THEN
        RETURN '';
    ELSIF found.status IN ('completed', 'failed', 'cancelled') THEN
        RETURN found.status;
    END IF;
    INSERT INTO $.request (job, request_id, kind, content, waiting)
        VALUES (found.number, a_request, a_kind, a_content, true) ON CONFLICT DO NOTHING;
    RETURN '';
END
$body$"""

# Each statement sees what others had committed when it began, and nobody writes for a job that is locked.
FORGET = """CREATE FUNCTION $.forget(chosen bigint[]) RETURNS bigint LANGUAGE plpgsql AS $body$
#variable_conflict use_column
DECLARE
    old bigint[];
BEGIN
    old := ARRAY(SELECT number FROM $.job WHERE number = ANY(chosen)
        AND (status IN ('completed', 'failed', 'cancelled') OR owner IS NULL OR until <= $.clock())
        ORDER BY job_id FOR UPDATE);
    DELETE FROM $.entry WHERE job = ANY(old);
    DELETE FROM $.snapshot WHERE job = ANY(old);
    DELETE FROM $.request WHERE job = ANY(old);
    DELETE FROM $.job WHERE number = ANY(old);
    RETURN cardinality(old);
END
$body$"""

CLOCK = """CREATE FUNCTION $.clock() RETURNS double precision LANGUAGE sql VOLATILE
AS $body$ SELECT extract(epoch FROM clock_timestamp())::double precision $body$"""

FUNCTIONS = (CLOCK, ADD, WRITE, ASK, FORGET)
