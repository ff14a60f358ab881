-- The practice company's database: a chat with its people, channels and messages.

CREATE EXTENSION pg_walinspect;
CREATE EXTENSION amcheck;
CREATE EXTENSION pageinspect;
CREATE EXTENSION pgcrypto;

CREATE SCHEMA auth;

CREATE TABLE auth.users (
    id            bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    email         text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE nchat_users (
    id         bigint PRIMARY KEY REFERENCES auth.users (id),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE nchat_channels (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9-]+$'),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE nchat_messages (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    channel_id bigint NOT NULL REFERENCES nchat_channels (id),
    user_id    bigint NOT NULL REFERENCES nchat_users (id),
    body       text NOT NULL CONSTRAINT nchat_messages_body_not_empty CHECK (length(body) > 0),
    client_ref uuid UNIQUE,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX nchat_messages_channel_created ON nchat_messages (channel_id, created_at);
CREATE INDEX nchat_messages_user ON nchat_messages (user_id);

CREATE TABLE nchat_channel_members (
    channel_id bigint NOT NULL REFERENCES nchat_channels (id),
    user_id    bigint NOT NULL REFERENCES nchat_users (id),
    joined_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel_id, user_id)
);

-- A log without a key, as real databases have one.
CREATE TABLE nchat_events (
    kind        text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    happened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Weight, so that a training recovery can take as long as a real one.
CREATE TABLE nchat_attachments (
    id      bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    content text NOT NULL
);
ALTER TABLE nchat_attachments ALTER COLUMN content SET STORAGE PLAIN;

CREATE TABLE smoke_checks (
    id         bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE FUNCTION add_user(name text, email text) RETURNS bigint LANGUAGE sql AS $$
    WITH login AS (
        INSERT INTO auth.users (email, password_hash)
        VALUES (email, crypt('test123', gen_salt('bf', 4))) RETURNING id)
    INSERT INTO nchat_users (id, name) SELECT login.id, add_user.name FROM login RETURNING id;
$$;

SELECT add_user(name, lower(name) || '@nchat.example')
FROM unnest(ARRAY['Ada', 'Bela', 'Chidi', 'Dana', 'Emre', 'Farah', 'Goran', 'Hana', 'Ines', 'Jonas',
                  'Kemal', 'Lucia', 'Mei', 'Nils', 'Olga', 'Pavel', 'Rosa', 'Sami', 'Tove', 'Yuki']) AS name;

INSERT INTO nchat_channels (name)
VALUES ('general'), ('support'), ('launch'), ('random'), ('engineering'), ('sales');

INSERT INTO nchat_channel_members (channel_id, user_id)
SELECT c.id, u.id FROM nchat_channels c CROSS JOIN nchat_users u WHERE c.id = 1 OR (c.id + u.id) % 3 = 0;

INSERT INTO nchat_messages (channel_id, user_id, body)
SELECT 1 + n % 6, 1 + (n * 7) % 20,
       (ARRAY['Good morning', 'The build is green again', 'Who has the notes of the call?', 'Shipped',
              'Customer asks for an invoice', 'Lunch?', 'Reviewing now', 'Thanks a lot'])[1 + n % 8] || ' (' || n || ')'
FROM generate_series(1, 400) AS n;

INSERT INTO nchat_events (kind, detail)
SELECT 'joined', jsonb_build_object('user', id) FROM nchat_users;
