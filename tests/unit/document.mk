# unit tests of src/document
