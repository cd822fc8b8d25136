/* Whose trouble a failed conversation with a server was. */
#ifndef SC_WIRE_WHY_H
#define SC_WIRE_WHY_H

/*
 * Set beside every failure of a source or relay.  All of them suspend the
 * route (RC_TEMP: nothing is lost, nothing bounces); they differ in what the
 * operator is told and in how soon to try again: after WHY_LOGIN never within
 * the hour, for providers ban who insists.
 */
enum wire_why {
	WHY_NONE,
	WHY_NETWORK,	/* name, connection, silence */
	WHY_TLS,	/* the server did not prove who it is */
	WHY_LOGIN,	/* it refused our name, password or token: exit 77 */
	WHY_SERVER,	/* it refused something else, or made no sense */
	WHY_LOCAL	/* our own disk, memory or consumer */
};

#endif
