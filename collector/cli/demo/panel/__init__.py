"""The demo's page: what a visitor can break, and the books beside it. The collector itself has none of it."""
