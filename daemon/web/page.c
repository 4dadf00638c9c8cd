#include "web/page.h"
const struct page_file page_files[] = {{0}};
