"""The static edition: the stored lessons as pages that need no kernel and no network."""
