"""The agent of a site: it keeps the site's servers to the site's own plan, also while nobody else can be reached."""
