"""Why a plan is as it is: runners-up, what more is worth, which clauses clash and what would be enough."""
