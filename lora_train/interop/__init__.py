"""Settings of other trainers: a plan written for them, and theirs read into a plan. Start at :mod:`.read`."""
