"""The steps, each after the one that its `down_revision` names. A step that was released is never changed."""
