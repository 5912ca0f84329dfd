"""Plans for clusters that another program keeps: the objects of Open Cluster Management, and those of Karmada."""
