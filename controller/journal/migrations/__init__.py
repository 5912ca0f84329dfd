"""How a journal comes to have the tables of this release, by Alembic: one step a file in `versions`."""
