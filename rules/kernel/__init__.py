"""What rules are written in: the problem, the plan, the form that engines read, and the rule protocol."""
