/* Holds the floor open until its first file is here. */
extern int sc_floor_cmd;
int sc_floor_cmd;
