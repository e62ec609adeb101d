/* A PKCS#11 library that is SoftHSM's, with what SoftHSM never does: a token that counts the tries at its PIN, one whose
 * hardware fails. Loaded in place of it by tests.
 *
 *	ODD_SLOW   seconds that it takes to start, hexadecimal
 *	ODD_FLAGS  ORed into the flags of every token's C_GetTokenInfo, hexadecimal
 *	ODD_SLOTS  so many slots without a token of use come before the others, hexadecimal
 *	ODD_LOGIN  what C_Login answers, hexadecimal
 *	ODD_AGAIN  what it answers where it is for one signature
 *	ODD_SIGN   what C_SignInit answers, hexadecimal */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "token_seam.h"

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST *real, odd;

static unsigned long wanted(const char *name)
{
	const char *s = getenv(name);

	return s != NULL ? strtoul(s, NULL, 16) : 0;
}

static CK_RV odd_initialize(void *args)
{
	sleep((unsigned)wanted("ODD_SLOW"));
	return real->C_Initialize(args);
}

static CK_RV odd_slot_list(unsigned char present, CK_SLOT_ID *slot, unsigned long *n)
{
	unsigned long more = wanted("ODD_SLOTS"), room = *n;
	CK_RV rv = real->C_GetSlotList(present, NULL, n);

	*n += more;
	if (rv != CKR_OK || slot == NULL)
		return rv;
	if (room < *n)
		return CKR_BUFFER_TOO_SMALL;
	room -= more;
	if ((rv = real->C_GetSlotList(present, slot + more, &room)) == CKR_OK)
		for (unsigned long i = 0; i < more; i++)
			slot[i] = slot[more + room - 1]; /* SoftHSM's last one is always empty */
	return rv;
}

static CK_RV odd_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	CK_RV rv = real->C_GetTokenInfo(slot, info);

	if (rv == CKR_OK)
		info->flags |= wanted("ODD_FLAGS");
	return rv;
}

static CK_RV odd_login(CK_SESSION_HANDLE s, CK_USER_TYPE user, unsigned char *pin, unsigned long len)
{
	CK_RV rv = wanted(user == CKU_CONTEXT_SPECIFIC ? "ODD_AGAIN" : "ODD_LOGIN");

	return rv != CKR_OK ? rv : real->C_Login(s, user, pin, len);
}

static CK_RV odd_sign_init(CK_SESSION_HANDLE s, CK_MECHANISM *how, CK_OBJECT_HANDLE key)
{
	CK_RV rv = wanted("ODD_SIGN");

	return rv != CKR_OK ? rv : real->C_SignInit(s, how, key);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	void *lib = dlopen(TOKEN_MODULE, RTLD_NOW | RTLD_LOCAL), *symbol = lib != NULL ? dlsym(lib, "C_GetFunctionList") : NULL;
	CK_RV (*get)(CK_FUNCTION_LIST **);
	CK_RV rv;

	if (symbol == NULL)
		return CKR_GENERAL_ERROR;
	memcpy(&get, &symbol, sizeof get);
	if ((rv = get(&real)) != CKR_OK)
		return rv;
	odd = *real;
	odd.C_Initialize = odd_initialize;
	odd.C_GetSlotList = odd_slot_list;
	odd.C_GetTokenInfo = odd_token_info;
	odd.C_Login = odd_login;
	odd.C_SignInit = odd_sign_init;
	*list = &odd;
	return CKR_OK;
}
