#!/bin/bash
# Twenty seeds of the simulator as shipped, two dozen with hostile devices, a flood, some more under the sanitizers. `make sim` runs many.
cd "$(dirname "$0")/../.." || exit 1
status=0
build/tests/sim/sim -n 20 1 || status=1
build/tests/sim/sim -b -n 24 1 || status=1
build/tests/sim/sim -f 1 || status=1
build/asan/tests/sim/sim -n 3 1001 || status=1
build/asan/tests/sim/sim -b -n 2 1001 || status=1
exit $status
