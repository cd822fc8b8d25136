# Pigeonhole (Dovecot) : le courrier scellé est ouvert et rangé, et reste aussi
# dans la boîte ; le reste suit son chemin.
# Pigeonhole (Dovecot): sealed mail is opened and filed, and stays in the
# mailbox as well; the rest goes its way.
#
# dovecot.conf :
#
#   plugin {
#     sieve_plugins = sieve_extprograms
#     sieve_extensions = +vnd.dovecot.pipe
#     sieve_pipe_bin_dir = /usr/local/lib/sceau/sieve
#   }
#
# et / and: /usr/local/lib/sceau/sieve/sceau-open (chmod 755) :
#
#   #!/bin/sh
#   exec /usr/local/bin/sceau open --mda
#
# Si l'ouverture échoue, le courrier reste dans la boîte : « sceau poll » peut
# l'y prendre.  If opening fails, the mail stays in the mailbox: "sceau poll"
# may take it from there.
require ["body", "copy", "vnd.dovecot.pipe"];

if body :content "application/vnd.sceau" :contains "" {
	pipe :copy "sceau-open";
}
