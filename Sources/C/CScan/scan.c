// Everything is in the header; this compiles it by itself, with all warnings.
#include "CScan.h"
