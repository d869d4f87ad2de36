"""
Log-in and profile of the FastAPI tutorial, https://fastapi.tiangolo.com/tutorial/security/oauth2-jwt/, made to use all
cores: nothing is `async`, so that what blocks is in the pool of threads. The tutorial's own way is in fastapi_tutorial.py.
"""
import os
import sqlite3
import threading
from datetime import datetime, timedelta, timezone

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import Depends, FastAPI, HTTPException, status
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

SECRET = os.environ["SECRET"]
LIFETIME = timedelta(hours=1)

hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()
local = threading.local()


class Token(BaseModel):
    access_token: str
    token_type: str


class User(BaseModel):
    id: str
    username: str
    email: str
    full_name: str


def find_user(column: str, value: str):
    if not hasattr(local, "database"):
        local.database = sqlite3.connect(os.environ["DATABASE"])
        local.database.row_factory = sqlite3.Row
    return local.database.execute(f"select * from users where {column} = ?", (value,)).fetchone()


def is_right(password: str, password_hash: str) -> bool:
    try:
        return hasher.verify(password_hash, password)
    except VerifyMismatchError:
        return False


def create_token(form: OAuth2PasswordRequestForm):
    user = find_user("username", form.username)
    if user is None or not is_right(form.password, user["password_hash"]):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    claims = {"sub": user["id"], "exp": datetime.now(timezone.utc) + LIFETIME}
    return {"access_token": jwt.encode(claims, SECRET, algorithm="HS256"), "token_type": "bearer"}


def user_of(token: str):
    problem = HTTPException(status.HTTP_401_UNAUTHORIZED, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise problem from error
    user = find_user("id", claims.get("sub"))
    if user is None:
        raise problem
    return User(**user)


@app.post("/token", response_model=Token)
def log_in(form: OAuth2PasswordRequestForm = Depends()):
    return create_token(form)


def get_current_user(token: str = Depends(oauth2_scheme)):
    return user_of(token)


@app.get("/users/me", response_model=User)
def read_users_me(user: User = Depends(get_current_user)):
    return user
