"""What bot and workers both know: procedures, the engine that orders them, and facts about Postgres."""
