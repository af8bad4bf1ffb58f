"""Several processes that serve one domain: who has which account, and what passes between them."""
