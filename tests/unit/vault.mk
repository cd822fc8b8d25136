# unit tests of src/vault
