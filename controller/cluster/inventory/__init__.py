"""What a cluster has for servers: nodes, what is free on them, and why some may not be used."""
