"""What is done with lessons and rows: run, store, collect, draw, publish."""
