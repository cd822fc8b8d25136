# unit tests of src/issuer
