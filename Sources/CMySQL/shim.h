#include <mysql/mysql.h>
