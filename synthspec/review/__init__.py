"""review: two versions of documents -> what the change loosens, and what the policies of the base say of it."""
