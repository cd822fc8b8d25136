/* Frama-C analyses the parsers as they are without any option. */
