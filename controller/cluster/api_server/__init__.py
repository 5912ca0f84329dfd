"""What the API server is asked, how often and how long, and how its objects are followed."""
