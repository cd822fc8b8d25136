# unit tests of src/mail
