# unit tests of src/flow
