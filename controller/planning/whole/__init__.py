"""The product's own problems at the size of whole fleets: translated for the fleet engines, routed, and repaired."""
