# Runs one program for the tests and cleans up after it, whatever becomes of the tests.
#
# Arguments: the directory that belongs to the program, the program, the program's arguments.
# Input: a pipe that only the test process holds. A line is the name of a signal for the program;
# after its exit, "keep" lets this script go and leave the directory. The end of the input means
# that the tests have gone, however they went: the program is killed, the directory removed.
# Output: "started PID", "sent SIGNAL" for each of them, then "exited STATUS".

trap '' PIPE # nobody may be listening any more, and there is still something to clean up
directory=$1
shift
exec 3<&0

"$@" </dev/null >>"$directory/log" 2>&1 3<&- &
program=$!
echo "started $program"

(
    while read -r signal; do
        kill -s "$signal" "$program"
        echo "sent $signal"
    done
    # Again and again: a program in the background ignores QUIT until it has set itself up.
    signal=QUIT
    tries=0
    while kill -s "$signal" "$program"; do
        kill -s CONT "$program"
        sleep 0.1
        # One that goes on ignoring it, as programs without a handler do.
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || signal=KILL
    done
) <&3 &
listener=$!

wait "$program"
status=$?
kill "$listener"
wait "$listener"
echo "exited $status"

while read -r order; do
    if [ "$order" = keep ]; then
        exit 0
    fi
done <&3

# Children of a program that was killed may still be writing.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$directory" && break
    sleep 0.2
done
