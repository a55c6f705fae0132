#!/bin/dash
# forked.sh PIDFILE PROGRAM [ARGUMENT…]
# Runs a program that goes into the background by a fork, and lives as long as it does. To start, nginx touches 8 MB of
# OpenSSL and others that it never needs again; what comes of a fork has only the pages that it touches itself.
set -eu

pidfile=$1
shift
status=1
# In a container the program ends with this, its first process, even where it has no number yet.
trap 'status=0; read -r pid <"$pidfile" && kill "$pid"' INT QUIT TERM

# A pipe that nobody writes to: the program holds its other end, so that it ends when the program does, however that is.
exec 3<<nothing
nothing
"$@" 4>/proc/self/fd/3
# The first one may be left for a signal.
read -r _ <&3 || read -r _ <&3 || exit $status
