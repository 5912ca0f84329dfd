"""Evidence: dated claims of issuers about sites and pools."""
