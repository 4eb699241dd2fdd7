"""What the performance goals are measured with: one module a goal, each with a `main`, its results beside it as .md."""
