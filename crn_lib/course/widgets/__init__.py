"""Controls that compute while one plays with them: they need a running kernel."""
