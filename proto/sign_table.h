/* Fixed vectors of the signature self-test: sign_table.c. */
#ifndef VD_SIGN_TABLE_H
#define VD_SIGN_TABLE_H

struct vd_sign_case {
	const char *message, *key, *signature;
};

enum { VD_SIGN_EDGE_CASES = 12 };

extern const struct vd_sign_case vd_sign_edge_cases[VD_SIGN_EDGE_CASES];
extern const struct vd_sign_case vd_sign_good_case, vd_sign_cofactor_case;
extern const char vd_sign_base_point[], vd_sign_mixed_point[];

#endif
