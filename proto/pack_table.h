/* The dictionaries that content is packed with, by number. pack_table.py makes them. */
#ifndef VD_PACK_TABLE_H
#define VD_PACK_TABLE_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t vd_pack_dictionary_1[];
extern const size_t vd_pack_dictionary_1_bytes;

#endif
