import sys

from cfvgg.cli import main

sys.exit(main())
