"""Policy documents as everybody writes them: the same order of keys, the same layout, comments where they were."""
