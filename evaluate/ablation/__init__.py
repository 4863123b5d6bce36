"""The paper's four models, trained from several seeds and compared."""
