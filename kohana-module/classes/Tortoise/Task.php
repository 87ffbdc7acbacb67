<?php defined('SYSPATH') OR die('No direct script access.');

abstract class Tortoise_Task extends Kohana_Tortoise_Task {}
