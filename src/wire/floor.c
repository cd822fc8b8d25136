/* Holds the floor open until its first file is here. */
extern int sc_floor_wire;
int sc_floor_wire;
