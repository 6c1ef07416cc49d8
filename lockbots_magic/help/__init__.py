"""Help pages, their search, and the guide that answers from them."""
