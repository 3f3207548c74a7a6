"""The course editions of the stored lessons: for students, for instructors, and for nbgrader. Nothing is executed."""
