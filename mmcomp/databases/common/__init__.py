"""What the databases share: the base class, the index, patterns and tables."""
