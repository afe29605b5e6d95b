#include "include/apex/status.h"

const char *apex_status_name(apex_status status)
{
    switch (status) {
    case APEX_OK: return "OK";
    case APEX_E_USAGE: return "E_USAGE";
    case APEX_E_FORMAT: return "E_FORMAT";
    case APEX_E_UNTRUSTED: return "E_UNTRUSTED";
    case APEX_E_REFUSED: return "E_REFUSED";
    case APEX_E_DATA: return "E_DATA";
    case APEX_E_LIMIT: return "E_LIMIT";
    case APEX_E_MEMORY: return "E_MEMORY";
    case APEX_E_IO: return "E_IO";
    case APEX_E_NOT_FOUND: return "E_NOT_FOUND";
    case APEX_E_UNREACHABLE: return "E_UNREACHABLE";
    case APEX_E_BUG: return "E_BUG";
    }
    return "E_BUG";
}
