"""What an installation is made of, and how it is made and removed."""
